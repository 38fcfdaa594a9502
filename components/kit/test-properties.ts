/**
 * fast-check, for tests and conformance suites: import it from here, so that its draws follow `MECHA_TEST_SEED` like all other chance.
 * A file of its own and no setup file, because loading the library costs some 30 ms, and most test files draw nothing.
 */
import fc from 'fast-check';
import { SEED } from './test-seed.ts';

fc.configureGlobal({ seed: SEED });

export { fc };
