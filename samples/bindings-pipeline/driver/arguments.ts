/** What `npm start -- --sample bindings-pipeline …` takes. */
import { parseArgs } from 'node:util';
import { oneOf, positive } from '../../driver/terminal.ts';

export const RESOURCES = ['embedded', 'postgresql'] as const;
/** All rows are read at every look. */
const TICKS_MAX = 1000;
/** Each kill happens while a pick-up is being booked; of fewer ticks not enough are booked. */
const TICKS_PER_KILL = 4;

export interface Arguments {
  readonly ticks: number;
  readonly resources: (typeof RESOURCES)[number];
  readonly kills: number;
  readonly exit: boolean;
  /** Seconds after the last tick at which one without a row or a mail counts as lost. */
  readonly patience: number;
  /** Another run file than the sample's own; for tests that put a faulty service in its place. */
  readonly runFile: string | undefined;
}

export const HELP = `npm start -- --sample bindings-pipeline [options]

Runs the bindings pipeline: a schedule ticks, and at each tick a service orders a pick-up from a courier, who is not the most reliable
one. Each tick ends in a row of a table or in a mail.

  --ticks N              how many ticks to judge (default 20, at most ${TICKS_MAX})
  --resources SET        embedded (default: a SQLite file) or postgresql
  --kills N              kill -9 of sidecar and service while a pick-up is being booked (default 1; 0 = never; at most one for ${TICKS_PER_KILL} ticks)
  --exit                 end after the summary: 0 when nothing is lost or doubled, 1 otherwise
  --patience SECONDS     when a tick without a row or a mail counts as lost (default 60)
  --run-file FILE        another run file than samples/bindings-pipeline/mecha.yaml
  --help                 this text
`;

/** Throws an error with words for the user when something is not as it should be. */
export function parseArguments(argv: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ticks: { type: 'string', default: '20' },
      resources: { type: 'string', default: 'embedded' },
      kills: { type: 'string' },
      patience: { type: 'string', default: '60' },
      'run-file': { type: 'string' },
      exit: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const ticks = positive('--ticks', values.ticks, TICKS_MAX);
  const killsMax = Math.floor(ticks / TICKS_PER_KILL);
  const kills = values.kills === undefined ? Math.min(1, killsMax) : values.kills === '0' ? 0 : positive('--kills', values.kills);
  if (kills > killsMax) throw new Error(`--kills takes at most one for ${TICKS_PER_KILL} ticks, which is ${killsMax} here, not '${kills}'`);
  return {
    ticks,
    kills,
    resources: oneOf('--resources', values.resources, RESOURCES),
    exit: values.exit,
    patience: positive('--patience', values.patience),
    runFile: values['run-file'],
  };
}
