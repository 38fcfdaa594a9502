/** Catch. */
import type { Json } from '../json.ts';
import type { Context, Inspected } from './context.ts';
import { checkErrorEquals } from './retry-field.ts';
import { checkSagaCatch } from './saga-fields.ts';
import { checkFields, checkList, checkObject, checkPath, checkQueries, checkText } from './values.ts';
import { checkAssign } from './variables.ts';

const CATCHER_FIELDS = new Set(['ErrorEquals', 'Next', 'ResultPath', 'Assign', 'Output', 'Comment', 'Mecha']);

export function checkCatch(context: Context, value: Json, location: string, state: Inspected): void {
  const catchers = checkList(context, value, location, true);
  for (const [at, catcher] of catchers.entries()) {
    const here = `${location}/${at}`;
    if (!checkObject(context, catcher, here)) continue;
    checkFields(context, catcher, here, CATCHER_FIELDS, 'Catch');
    checkErrorEquals(context, catcher['ErrorEquals'], here, at === catchers.length - 1);
    const { Next: next, ResultPath: path, Output: output, Assign: assign, Mecha: mecha } = catcher;
    if (next === undefined) context.diagnostics.error(here, "The field 'Next' is required but was missing");
    else checkText(context, next, `${here}/Next`);
    if (path !== undefined) {
      if (state.language === 'JSONata') context.diagnostics.error(`${here}/ResultPath`, "The field 'ResultPath' can not be used in a JSONata state", "JSONata states say it with 'Output'");
      else checkPath(context, path, `${here}/ResultPath`, { nullable: true, reference: true });
    }
    if (output !== undefined) {
      if (state.language === 'JSONPath') context.diagnostics.error(`${here}/Output`, "The field 'Output' can not be used in a JSONPath state", "JSONPath states say it with 'ResultPath'");
      else checkQueries(context, output, `${here}/Output`, { errorOutput: true });
    }
    if (assign !== undefined) checkAssign(context, assign, `${here}/Assign`, state.language, { errorOutput: true });
    if (mecha !== undefined) checkSagaCatch(context, mecha, `${here}/Mecha`);
  }
}
