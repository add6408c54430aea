/** Both stacks in an app, with every check that can be made before anything is deployed. */
import { type App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { DataStack } from './data-stack.ts';
import { readOptions } from './options.ts';
import { ServiceStack } from './service-stack.ts';

export interface Deployment {
  readonly data: DataStack;
  readonly services: ServiceStack;
}

/** Reads the options from the app's context. */
export function addFileFerry(app: App): Deployment {
  const options = readOptions((name) => app.node.tryGetContext(name));
  const env = { region: options.region, ...(options.account ? { account: options.account } : {}) };
  const data = new DataStack(app, 'FileFerry-Data', { env, options });
  const services = new ServiceStack(app, 'FileFerry-Services', { env, options, data });
  Tags.of(app).add('application', 'fileferry');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { data, services };
}
