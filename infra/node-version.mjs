/** Says in one line what to do when this Node cannot run FileFerry. Plain JavaScript: it has to load anywhere. */

/** Type stripping is stable from this version on; https://nodejs.org/api/typescript.html */
const least = [24, 12];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < least[0] || (major === least[0] && minor < least[1])) {
  console.error(
    `FileFerry needs Node ${least.join('.')} or newer, and this is ${process.version}. On Linux and Windows, "npm ci" brings it along and "npm run" uses it; elsewhere, install Node 24.`,
  );
  process.exit(1);
}
