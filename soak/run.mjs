// npm run soak: real processes, killed. `npm run soak -- --help` shows the options.
import { register } from 'node:module'
import { build, installPackages, requireNode } from '../scripts/set-up.mjs'

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
requireNode()
installPackages()
build()
register('../scripts/typescript.mjs', import.meta.url)
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
