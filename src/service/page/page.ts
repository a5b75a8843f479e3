import { createHash } from 'node:crypto'
import type { Reply, Route } from '../routes.ts'
import type { ServiceView } from '../service-view.ts'
import { liveMarkup } from './live.ts'
import { escapeHtml } from './markup.ts'
import { STYLE } from './style.ts'

/** All that runs in the browser: it fetches the drawn page anew, and says by fading when nobody answers. */
const SCRIPT = `
const live = document.getElementById('live')
const refresh = async () => {
  try {
    const answer = await fetch('/live')
    if (answer.ok) live.innerHTML = await answer.text()
    document.body.classList.toggle('gone', !answer.ok)
  } catch {
    document.body.classList.add('gone')
  }
  setTimeout(refresh, 2000)
}
setTimeout(refresh, 2000)
`

const sourceHash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing but this very script and style runs, whatever a topic or an error message is called. */
const POLICY = [
  "default-src 'none'",
  `script-src ${sourceHash(SCRIPT)}`,
  `style-src ${sourceHash(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const html = (body: string): Reply => ({
  status: 200,
  contentType: 'text/html; charset=utf-8',
  body,
  headers: { 'content-security-policy': POLICY },
})

/** `/`: the pipeline at a glance, for people; complete in itself, drawn here and refreshed by the browser. */
export const pageRoutes = (view: ServiceView): readonly Route[] => [
  { path: '/', open: false, handle: () => html(page(view)) },
  { path: '/live', open: false, handle: () => html(liveMarkup(view)) },
]

const page = (view: ServiceView): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(view.pipeline)} · Millrace</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main id="live">${liveMarkup(view)}</main>
<footer>Millrace ${escapeHtml(view.version)} · <a href="/metrics">metrics</a> · <a href="/readyz">readiness</a> · <a href="/api/status">status as JSON</a></footer>
<script>${SCRIPT}</script>
</body>
</html>
`
