const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PADDING = 0x3d
/** Value of a base64 letter, or 255. */
const SEXTETS = new Uint8Array(256).fill(255)
for (let i = 0; i < ALPHABET.length; i++) SEXTETS[ALPHABET.charCodeAt(i)] = i

/**
 * Decodes base64 (RFC 4648, section 4; the padding may be left out) from source[start, end) to the beginning of
 * `target`, which may be `source` if `start` is 0. Answers how many bytes came out, or -1 where it is not base64.
 */
export const decodeBase64 = (source: Uint8Array, start: number, end: number, target: Uint8Array): number => {
  if ((end - start) % 4 === 0) {
    if (end > start && source[end - 1] === PADDING) end--
    if (end > start && source[end - 1] === PADDING && (end - start) % 4 === 3) end--
  }
  if ((end - start) % 4 === 1) return -1
  let written = 0
  let bits = 0
  let held = 0
  for (let at = start; at < end; at++) {
    const sextet = SEXTETS[source[at] as number] as number
    if (sextet === 255) return -1
    bits = ((bits << 6) | sextet) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      target[written++] = bits >> held
    }
  }
  return written
}
