/** Finds programs of the operating system: installed ones, and those that `install.sh` unpacked beside each other. */
import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const UNPACKED = ['/var/cache/fileferry/programs', join(homedir(), '.cache/fileferry/programs')];
const PLACES = ['usr/sbin', 'usr/bin', 'sbin', 'bin'];

export interface Program {
  readonly path: string;
  /** What it needs in its environment, and nothing of ours. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its package lies: `/`, or a folder below which the same paths begin. */
  readonly base: string;
}

function isThere(path: string, mode: number = constants.X_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** Unpacked libraries lie in folders named after the machine, such as `x86_64-linux-gnu`. */
function libraryPath(base: string): string {
  const lib = join(base, 'usr/lib');
  return readdirSync(lib)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(lib, name))
    .join(delimiter);
}

/** The program, or undefined where neither the machine nor `install.sh` has it. */
export function findProgram(name: string): Program | undefined {
  for (const place of [...(process.env.PATH ?? '').split(delimiter), ...PLACES.map((dir) => `/${dir}`)]) {
    if (place !== '' && isThere(join(place, name)))
      return { path: join(place, name), env: { PATH: '/usr/bin:/bin' }, base: '/' };
  }
  for (const base of UNPACKED) {
    for (const place of PLACES) {
      const path = join(base, place, name);
      if (isThere(path)) {
        return { path, env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: libraryPath(base) }, base };
      }
    }
  }
  return undefined;
}

/** Debian's own Python with one of its modules, or undefined where the module is missing. */
export function findPythonModule(module: string): Program | undefined {
  for (const base of ['/', ...UNPACKED]) {
    const modules = join(base, 'usr/lib/python3/dist-packages');
    if (isThere('/usr/bin/python3') && isThere(join(modules, module), constants.R_OK)) {
      return { path: '/usr/bin/python3', env: { PATH: '/usr/bin:/bin', PYTHONPATH: modules }, base };
    }
  }
  return undefined;
}
