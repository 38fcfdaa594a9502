/** Assign: names of variables and where they may be assigned. */
import type { QueryLanguage } from '../definition.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Context } from './context.ts';
import { checkObject, checkQueries, checkTemplate, type Place } from './values.ts';

const NAME = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;
const NAME_MAX = 80;

export function checkAssign(context: Context, value: Json, location: string, language: QueryLanguage, place: Place): void {
  if (!checkObject(context, value, location)) return;
  for (const name of Object.keys(value)) {
    const variable = assignedName(name, language);
    if (variable === 'states') context.diagnostics.error(`${location}/${name}`, "The variable name 'states' is reserved");
    else if (!NAME.test(variable) || variable.length > NAME_MAX) {
      context.diagnostics.error(`${location}/${name}`, `'${variable}' is not a valid variable name`, `letters, digits and _, at most ${NAME_MAX}; only a whole variable can be assigned`);
    }
  }
  if (language === 'JSONata') checkQueries(context, value, location, place);
  else checkTemplate(context, value, location);
}

const assignedName = (name: string, language: QueryLanguage): string => (language === 'JSONPath' && name.endsWith('.$') ? name.slice(0, -2) : name);

/** All names that a state assigns, its rules' and catchers' included, with where. */
export function assignmentsOf(fields: JsonObject, path: string, language: QueryLanguage): [name: string, location: string][] {
  const found: [string, string][] = [];
  const add = (owner: Json | undefined, location: string): void => {
    const assign = isObject(owner) ? owner['Assign'] : undefined;
    if (isObject(assign)) for (const name of Object.keys(assign)) found.push([assignedName(name, language), `${location}/Assign/${name}`]);
  };
  add(fields, path);
  for (const list of ['Choices', 'Catch']) {
    const entries = fields[list];
    if (Array.isArray(entries)) for (const [at, entry] of (entries as readonly Json[]).entries()) add(entry, `${path}/${list}/${at}`);
  }
  return found;
}
