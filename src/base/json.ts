/** What JSON can hold: the only kind of value that checkpoint entries and thread messages describe plans with. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }
