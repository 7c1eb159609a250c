'use strict';
const { StringDecoder } = require('node:string_decoder');

/**
 * Cuts a stream of bytes into lines of UTF-8, however it was cut into chunks.
 *
 * A line ends with "\n" alone: `node:readline` also ends one at U+2028 and U+2029, which JSON may hold as they are.
 */
class Lines {
  /** @param {(line: string) => void} onLine Called with each line, without its end. */
  constructor(onLine) {
    this._onLine = onLine;
    this._decoder = new StringDecoder('utf8');
    this._parts = [];
  }

  /** @param {Buffer} chunk What has come. */
  push(chunk) {
    this._take(this._decoder.write(chunk));
  }

  /** The stream has ended: what is left is a line too. */
  end() {
    this._take(this._decoder.end());
    const last = this._parts.join('');
    this._parts = [];
    if (last !== '') this._onLine(last);
  }

  _take(text) {
    const pieces = text.split('\n');
    while (pieces.length > 1) {
      this._parts.push(pieces.shift());
      const line = this._parts.join('');
      this._parts = [];
      this._onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    if (pieces[0] !== '') this._parts.push(pieces[0]);
  }
}

module.exports = { Lines };
