/** `npm start`: the order saga, or another sample by `--sample NAME`. All other arguments are the sample's own. */
import { runMain } from './terminal.ts';

const SAMPLES = {
  'order-saga': () => import('../order-saga/driver/main.ts'),
  'bindings-pipeline': () => import('../bindings-pipeline/driver/main.ts'),
} as const;

const flags = process.argv.findIndex((word) => word === '--sample' || word.startsWith('--sample='));
let name = 'order-saga';
if (flags >= 0) {
  const [flag = '', value = ''] = process.argv.splice(flags, process.argv[flags] === '--sample' ? 2 : 1);
  name = flag === '--sample' ? value : flag.slice('--sample='.length);
}
if (Object.hasOwn(SAMPLES, name)) await SAMPLES[name as keyof typeof SAMPLES]();
else await runMain(() => Promise.reject(new Error(`--sample takes one of ${Object.keys(SAMPLES).join(', ')}, not '${name}'`)));
