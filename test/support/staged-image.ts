/** The image's files without a Docker engine: what the Dockerfile copies and `.dockerignore` lets through, staged. */
import { cp, link, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IgnoreStrategy } from 'aws-cdk-lib';

export const REPOSITORY = join(import.meta.dirname, '..', '..');
const DOCKERFILE = join(REPOSITORY, 'infra', 'cloud', 'Dockerfile');

/** How the Dockerfile names the policy's file. */
export const POLICY_ARGUMENT = /\$\{POLICY_FILE\}/;

interface Instruction {
  readonly name: string;
  readonly args: string;
}

/** The Dockerfile's instructions, stage by stage; continued lines are one. */
export async function readDockerfile(): Promise<Instruction[][]> {
  const text = (await readFile(DOCKERFILE, 'utf8')).replace(/\\\n\s*/g, ' ');
  const stages: Instruction[][] = [];
  for (const line of text.split('\n')) {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line);
    if (!match) continue;
    const [, name = '', args = ''] = match;
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, args });
  }
  return stages;
}

/** Whether a path, or all below a folder, stays out of the image; read as Docker and the CDK read it. */
export async function dockerIgnore(): Promise<(path: string) => boolean> {
  const patterns = (await readFile(join(REPOSITORY, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const strategy = IgnoreStrategy.docker(REPOSITORY, patterns);
  return (path) => strategy.ignores(join(REPOSITORY, path));
}

async function copyAllowed(
  from: string,
  to: string,
  folder: string,
  ignores: (path: string) => boolean,
): Promise<void> {
  if (ignores(from)) return;
  const entries = await readdir(join(REPOSITORY, from), { withFileTypes: true }).catch(() => undefined);
  if (!entries) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await cp(join(REPOSITORY, from), join(folder, to));
    return;
  }
  for (const { name } of entries) await copyAllowed(`${from}/${name}`, `${to}/${name}`, folder, ignores);
}

/** Links where it can, because copying tens of thousands of files takes its time. */
async function linkTree(from: string, to: string, skip: (name: string) => boolean): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (skip(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target, () => false);
    else if (entry.isFile()) await link(source, target).catch(() => cp(source, target));
  }
}

interface Locked {
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages that `npm ci --omit=dev` leaves of what is installed here, less our own optional ones, by their folders. */
async function productionPackages(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(REPOSITORY, 'node_modules', '.package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked & { devOptional?: boolean }>;
  };
  const removed = new Set((await localOnly()).map((name) => `node_modules/${name}`));
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional && !removed.has(path))
    .map(([path]) => path);
}

/** Our own optional packages: what the local stack needs and the image does not. */
export async function localOnly(): Promise<string[]> {
  const text = await readFile(join(REPOSITORY, 'package.json'), 'utf8');
  return Object.keys((JSON.parse(text) as Locked).optionalDependencies ?? {});
}

/** Lays into a folder what the image has in its own. */
export async function stageImage(folder: string, policyFile: string): Promise<void> {
  const ignores = await dockerIgnore();
  const [, final = []] = await readDockerfile();
  for (const { name, args } of final) {
    if (name !== 'COPY' || args.startsWith('--from')) continue;
    const words = args.replace(POLICY_ARGUMENT, policyFile).split(/\s+/);
    const target = words.pop() ?? '';
    for (const source of words) {
      await copyAllowed(source, target === './' ? source : target, folder, ignores);
    }
  }
  for (const path of await productionPackages()) {
    // What is nested in a package is a package of its own in the list.
    await linkTree(join(REPOSITORY, path), join(folder, path), (name) => name === 'node_modules');
  }
}
