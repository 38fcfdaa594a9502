import { expect, test } from 'vitest';
import { headerFromText, textFromHeader } from './header-text.ts';
import { fc } from './test-properties.ts';

const bytesOf = (header: string | undefined): Buffer => Buffer.from(header ?? '', 'latin1');

test('any text without control characters is UTF-8 on the wire, and comes back as it was', () => {
  expect(bytesOf(headerFromText('żółć €'))).toEqual(Buffer.from('żółć €'));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const header = headerFromText(text);
      if (header === undefined) {
        expect(text).toMatch(/\p{Cc}/u);
        return;
      }
      expect(bytesOf(header)).toEqual(Buffer.from(text));
      expect(textFromHeader(header)).toBe(text);
    }),
  );
});

test.each(['a\r\nb: c', 'a\nb', 'a\0b', 'a\u007fb'])('no header can hold %j', (text) => {
  expect(headerFromText(text)).toBeUndefined();
});

test('bytes that are not UTF-8 are read as Latin-1, half a pair becomes the replacement character', () => {
  expect(textFromHeader('\u00e9')).toBe('é');
  expect(textFromHeader(headerFromText('\ud800') ?? '')).toBe('\ufffd');
});
