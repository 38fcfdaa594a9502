/** `secretstores.local.env`: the environment of the sidecar as a secret store. */
import { defineComponent, field, type SecretStore } from '@mecha/components/kit';

/** What configures the sidecar itself, its tokens above all, is nobody's secret to read; in any case of letters. */
function isHidden(name: string): boolean {
  const upper = name.toUpperCase();
  return upper === 'APP_API_TOKEN' || upper.startsWith('DAPR_') || upper.startsWith('MECHA_');
}

export default defineComponent({
  type: 'secretstores.local.env',
  versions: ['v1'],
  status: 'stable',
  title: 'Environment variables',
  description: 'Secrets from the environment of the sidecar. A variable that is not set reads as an empty text. APP_API_TOKEN and all that begins with DAPR_ or MECHA_ is never shown.',
  metadata: {
    prefix: field.string('Put before every name: only variables that begin so are seen, under the rest of their name.', { default: '' }),
  },
  features: [],
  create({ options: { prefix }, env }): SecretStore {
    return {
      async get({ name }) {
        const variable = prefix + name;
        const shown = Object.hasOwn(env, variable) && !isHidden(variable);
        return { [name]: (shown ? env[variable] : undefined) ?? '' };
      },
      async getAll() {
        const shown = Object.entries(env).flatMap(([variable, value]) => {
          if (value === undefined || !variable.startsWith(prefix) || isHidden(variable)) return [];
          const name = variable.slice(prefix.length);
          return [[name, { [name]: value }] as const];
        });
        return Object.fromEntries(shown);
      },
    };
  },
});
