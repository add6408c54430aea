/** The CDK app that `npm run synth` and `cdk deploy` run. */
import { App } from 'aws-cdk-lib';
import { addFileFerry } from './deployment.ts';

const app = new App();
addFileFerry(app);
app.synth();
