/** A request that was let in. */
export interface ServiceRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Whether it brought the token, or none is asked for. Open routes answer others more shortly. */
  readonly authorized: boolean
}

/** What is sent back. */
export interface Reply {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One resource of the service. */
export interface Route {
  /** A whole path, or with a slash at its end (`/views/`) every path below it. */
  readonly path: string
  /** Answers without a token as well: what probes of an orchestrator ask. */
  readonly open: boolean
  readonly handle: (request: ServiceRequest) => Reply | Promise<Reply>
}

/** The route that answers a path, `null` where none does. Whole paths go before folders, longer folders before shorter. */
export const routeFor = (routes: readonly Route[], path: string): Route | null => {
  const whole = routes.find(route => route.path === path)
  if (whole !== undefined) return whole
  const folders = routes.filter(route => isFolder(route) && path.startsWith(route.path))
  return folders.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null
}

const isFolder = ({ path }: Route): boolean => path !== '/' && path.endsWith('/')

/** An answer in JSON. */
export const jsonReply = (status: number, value: unknown): Reply => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
})

/** An answer in plain text. */
export const textReply = (status: number, text: string): Reply => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${text}\n`,
})
