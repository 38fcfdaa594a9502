/** A cursor over a short text, for the parsers of paths and functions. */
export class Reader {
  readonly text: string;
  at = 0;
  readonly #error: (message: string) => Error;

  constructor(text: string, error: (message: string) => Error) {
    this.text = text;
    this.#error = error;
  }

  ended(): boolean {
    return this.at >= this.text.length;
  }

  peek(): string {
    return this.text.charAt(this.at);
  }

  next(): string {
    return this.text.charAt(this.at++);
  }

  /** Whether the word stands here; if so it is passed. */
  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) this.fail(this.ended() ? `'${word}' is missing at the end` : `'${word}' was expected instead of '${this.peek()}'`);
  }

  /** Text up to the first character that matches, or to the end. */
  until(stops: RegExp): string {
    const start = this.at;
    while (!this.ended() && !stops.test(this.peek())) this.at++;
    return this.text.slice(start, this.at);
  }

  /** What a sticky expression matches here. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  blanks(): void {
    while (/\s/.test(this.peek())) this.at++;
  }

  fail(message: string): never {
    throw this.#error(`${message} (character ${this.at + 1} of ${this.text})`);
  }
}
