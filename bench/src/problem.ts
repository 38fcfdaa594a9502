/** Something the reader can act upon: printed as one line, without a stack, with exit code 2. */
export class Problem extends Error {}
