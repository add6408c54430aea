/** Loads all that the services load, so that Node keeps it compiled in `NODE_COMPILE_CACHE`; starts nothing. */
import { flushCompileCache, getCompileCacheDir } from 'node:module';

for (const service of [
  '../../../bot/service.ts',
  '../../../bot/lambda-runtime.ts',
  '../../../worker/service.ts',
])
  await import(service);
flushCompileCache();
process.stdout.write(`compiled into ${getCompileCacheDir()}\n`);
