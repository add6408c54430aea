/** The process of `embedded.ts`: ROOT PORT FIRST_PASSIVE LAST_PASSIVE USER PASSWORD. */
import { startFtp } from '../../infra/local/ftp.ts';

const [folder = '', port, first, last, user = '', password = ''] = process.argv.slice(2);
await startFtp({ folder, user, password, port: Number(port), passive: [Number(first), Number(last)] });
