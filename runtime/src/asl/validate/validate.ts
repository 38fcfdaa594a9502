import type { Diagnostics } from '../diagnostic.ts';
import type { Expressions } from '../expressions.ts';
import type { JsonObject } from '../json.ts';
export function validate(_definition: JsonObject, _diagnostics: Diagnostics, _expressions: Expressions, _options: { readonly express: boolean }): void {
}
