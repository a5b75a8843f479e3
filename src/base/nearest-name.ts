/** The known name that takes the fewest edits (Levenshtein, 1965) to write, if that is less than half of its letters. */
export const nearestName = (name: string, known: readonly string[]): string | null => {
  let best: string | null = null
  let least = Infinity
  for (const candidate of known) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (edits < least && edits * 2 < candidate.length) {
      best = candidate
      least = edits
    }
  }
  return best
}

const distance = (a: string, b: string): number => {
  let before = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (before[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(change, (before[j] as number) + 1, (row[j - 1] as number) + 1))
    }
    before = row
  }
  return before[b.length] as number
}
