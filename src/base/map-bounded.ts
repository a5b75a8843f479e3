/**
 * Awaits `work` for every item, at most `limit` at a time; answers in the order of the items. After a failure nothing
 * more is started, what runs is awaited, and the first error is thrown, so that no work goes on unseen.
 */
export const mapBounded = async <Item, Answer>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, index: number) => Promise<Answer>,
): Promise<readonly Answer[]> => {
  const answers = Array.from<Answer>({ length: items.length })
  const errors: unknown[] = []
  const waiting = items.entries()
  const runOneAfterAnother = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (errors.length > 0) return
      try {
        answers[index] = await work(item, index)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runOneAfterAnother))
  if (errors.length > 0) throw errors[0]
  return answers
}
