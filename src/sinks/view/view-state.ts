/** What a view says of itself: how far it is, and whether it is whole. */
export interface ViewState {
  readonly pipeline: string
  /** `live`: whole, as of `batch`. `updating`, `rebuilding`: on its way to `target`. */
  readonly status: string
  /** The last batch that is wholly in it; `null` while it is rebuilt. */
  readonly batch: number | null
  /** The batch that it is on its way to; `null` where it is at one. */
  readonly target: number | null
  readonly epoch: number
  /** When that batch was committed, and when it was in the view; ISO 8601, '' before the first. */
  readonly committedAt: string
  readonly appliedAt: string
  /** Watermark of the branch after that batch, '' where it has none. */
  readonly watermark: string
  readonly rows: number
  readonly format: 'hash' | 'json'
}

/** Reads a view's metadata hash; `null` where there is none. */
export const readViewState = (fields: Readonly<Record<string, string>>): ViewState | null => {
  const { pipeline, status } = fields
  if (pipeline === undefined || status === undefined) return null
  return {
    pipeline,
    status,
    batch: whole(fields['batch']),
    target: whole(fields['target']),
    epoch: Number(fields['epoch']),
    committedAt: fields['committedAt'] ?? '',
    appliedAt: fields['appliedAt'] ?? '',
    watermark: fields['watermark'] ?? '',
    rows: Number(fields['rows'] ?? 0),
    format: fields['format'] === 'json' ? 'json' : 'hash',
  }
}

const whole = (text: string | undefined): number | null => (text === undefined ? null : Number(text))
