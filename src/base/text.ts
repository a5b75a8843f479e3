const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The UTF-8 bytes of a text. */
export const utf8Bytes = (text: string): Uint8Array => encoder.encode(text)
/** @throws TypeError where the bytes are not UTF-8 */
export const utf8Text = (bytes: Uint8Array): string => decoder.decode(bytes)
