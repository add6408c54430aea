/** Says by its exit code whether the service in this container answers: `node health.ts [port …]`. */

/** The bot's and the worker's, unless told; a container runs one of them. */
const ports = process.argv.length > 2 ? process.argv.slice(2) : ['3978', '3979'];

const answers = await Promise.all(
  ports.map((port) =>
    fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) }).then(
      ({ ok }) => ok,
      () => false,
    ),
  ),
);
process.exit(answers.includes(true) ? 0 : 1);
