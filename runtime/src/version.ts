/** The version of Mecha, and of the contract that it speaks (which clients compare). */
import manifest from '../package.json' with { type: 'json' };

export const MECHA_VERSION: string = manifest.version;
export const CONTRACT_VERSION = '1.18.0';
