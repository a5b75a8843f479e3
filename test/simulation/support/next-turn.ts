/** Resolves when no code is left that could run now. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
