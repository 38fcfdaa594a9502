/**
 * `kind: Workflow`: a state machine in the States Language, its definition as YAML below `spec.definition` or as text there (JSON or YAML).
 * The definition is checked as the API checks one; each fault is told with the line on which it stands.
 */
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { Envelope } from './resource-envelope.ts';
import type { WorkflowResource } from './resource-types.ts';
import type { YamlView } from './yaml-view.ts';

const TYPES = ['STANDARD', 'EXPRESS'] as const;
/** As the names of the API: they become parts of ARNs. */
const NAME = /^[A-Za-z0-9_.+@!=()'-]{1,80}$/;

export function workflowResource(document: YamlView, envelope: Envelope): WorkflowResource | undefined {
  const spec = document.get('spec');
  if (!spec) {
    document.error('a Workflow needs spec');
    return undefined;
  }
  spec.allow(['type', 'definition']);
  if (!NAME.test(envelope.name)) document.get('metadata')?.get('name')?.error('the name of a Workflow has at most 80 letters, digits and -_.+@!=()');
  const typeView = spec.get('type');
  const given = typeView?.text() ?? 'STANDARD';
  const type = TYPES.find((one) => one === given.toUpperCase());
  if (!type) typeView?.error(`a Workflow is ${TYPES.join(' or ')}, not ${given}`, nearest(given, TYPES));
  const definitionView = spec.get('definition');
  if (!definitionView) {
    spec.error('a Workflow needs spec.definition: a state machine in the States Language');
    return undefined;
  }
  const definition = definitionView.isMap() ? definitionView.metadataText() : definitionView.text();
  if (!type || definition === undefined || !NAME.test(envelope.name)) return undefined;
  return { kind: 'Workflow', name: envelope.name, type, definition, scopes: envelope.scopes, source: document.source };
}

/** Loads the language only when there is a definition to check. */
export async function checkWorkflows(documents: ReadonlyMap<WorkflowResource, YamlView>): Promise<void> {
  if (documents.size === 0) return;
  const { loadMachine } = await import('../workflow-asl/machine-store.ts');
  for (const [{ definition, type }, document] of documents) {
    const view = document.get('spec')?.get('definition');
    for (const { severity, message, location, hint } of loadMachine(definition, type).diagnostics) {
      const place = (view && placeOf(view, location)) ?? document;
      const words = `${message} at ${location}${hint === undefined ? '' : ` (${hint})`}`;
      if (severity === 'ERROR') place.error(words);
      else place.warning(words);
    }
  }
}

/** Where `/States/Pay/Retry/0` stands; of what is missing, where it would. */
function placeOf(definition: YamlView, location: string): YamlView {
  let at = definition;
  for (const part of location.split('/').slice(1)) {
    const next = at.isMap() ? at.entries().find(([name]) => name === part)?.[1] : at.isSequence() ? at.items()[Number(part)] : undefined;
    if (!next) break;
    at = next;
  }
  return at;
}
