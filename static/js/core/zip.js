/** Files put into a zip as they are: pictures are compressed already. */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** @param {Uint8Array} data */
export function crc32(data) {
  let value = 0xffffffff;
  for (const byte of data) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * The parts of a zip file, in order.
 *
 * @param {readonly { name: string, data: Uint8Array<ArrayBuffer> }[]} files
 * @returns {Uint8Array<ArrayBuffer>[]}
 */
export function zip(files) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const directory = [];
  let offset = 0;
  for (const { name, data } of files) {
    const title = new TextEncoder().encode(name);
    const facts = [crc32(data), data.length, data.length];
    // Version 2.0, names in UTF-8, stored; 1 January 1980, the earliest date that the format has.
    const head = record([0x04034b50], [20, 0x0800, 0, 0, 33], facts, [title.length, 0]);
    const entry = record(
      [0x02014b50],
      [20, 20, 0x0800, 0, 0, 33],
      facts,
      [title.length, 0, 0, 0, 0],
      [0, offset],
    );
    parts.push(head, title, data);
    directory.push(entry, title);
    offset += head.length + title.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const end = record([0x06054b50], [0, 0, count, count], [size, offset], [0]);
  return [...parts, ...directory, end];
}

/**
 * Numbers as little-endian bytes, lists of four and of two bytes by turns.
 *
 * @param {...number[]} lists
 */
function record(...lists) {
  const bytes = lists.flatMap((list, k) =>
    list.flatMap((value) => {
      const width = k % 2 === 0 ? 4 : 2;
      return Array.from({ length: width }, (_, byte) => (value >>> (8 * byte)) & 255);
    }),
  );
  return Uint8Array.from(bytes);
}
