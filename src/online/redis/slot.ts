/** The slot of a key in a Redis Cluster: CRC16 (XMODEM) of the key, or of what stands between its first braces, modulo 16,384. */

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc;
});

const openBrace = 0x7b;
const closeBrace = 0x7d;

export function slotOfKey(key: Uint8Array): number {
  const open = key.indexOf(openBrace);
  const close = open === -1 ? -1 : key.indexOf(closeBrace, open + 1);
  const [from, to] = close > open + 1 ? [open + 1, close] : [0, key.length];
  return crc16(key, from, to) & 0x3fff;
}

/** CRC16 (XMODEM) of some bytes. */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0;
  for (let at = from; at < to; at++) crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ (bytes[at] as number)] as number);
  return crc;
}
