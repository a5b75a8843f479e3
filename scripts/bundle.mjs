// Puts the compiled package into a few files, so that a process and each of its threads load tens of modules fewer. The entry
// files stay where they are and lead into dist/bundle; every other file is there for types, tools and tests.
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { projectFolder } from './set-up.mjs'

const DIST = join(projectFolder, 'dist')
const BUNDLE = join(DIST, 'bundle')
/** Entry files, and what each holds once the bundle is there. */
const ENTRIES = {
  index: bundle => `export * from ${bundle}\n`,
  testing: bundle => `export * from ${bundle}\n`,
  'cli/main': bundle => `#!/usr/bin/env node\nimport ${bundle}\n`,
  'wiring/worker-entry': bundle => `import ${bundle}\n`,
  'wiring/demo-pipeline': bundle => `export { default } from ${bundle}\n`,
}
/** What holds WebAssembly or a large SDK stays a package of its own. */
const EXTERNAL = ['esbuild', 'parquet-wasm', 'ioredis', 'kafkajs', '@aws-sdk/*', '@smithy/*', 'prom-client']

/** A module still finds the files beside it, as if it were loaded from its own place. */
const ownPlace = {
  name: 'own place',
  setup(esbuild) {
    esbuild.onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, async ({ path }) => {
      if (!path.startsWith(DIST)) return undefined
      const place = `new URL(${JSON.stringify(relative(BUNDLE, path).replaceAll('\\', '/'))}, import.meta.url).href`
      const code = await readFile(path, 'utf8')
      return { contents: code.replaceAll(/(?<!['"])\bimport\.meta\.url/g, place), loader: 'js' }
    })
  },
}

/** Packages of native code, and what is called of them. */
const NATIVE = { snappy: ['uncompressSync'], '@node-rs/crc32': ['crc32c'] }

/** The first call loads them: most threads make none. Required, they are spared the loader's look for their exports. */
const nativeOnDemand = {
  name: 'native on demand',
  setup(esbuild) {
    const filter = new RegExp(`^(${Object.keys(NATIVE).join('|')})$`)
    esbuild.onResolve({ filter }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'native' },
    )
    esbuild.onLoad({ filter, namespace: 'native' }, ({ path }) => ({
      contents: [
        `const load = () => require(${JSON.stringify(path)})`,
        'let loaded',
        ...NATIVE[path].map(name => `export const ${name} = (...args) => (loaded ??= load()).${name}(...args)`),
      ].join('\n'),
      loader: 'js',
    }))
  },
}

const nameOf = entry => entry.slice(entry.lastIndexOf('/') + 1)

await build({
  entryPoints: Object.fromEntries(Object.keys(ENTRIES).map(entry => [nameOf(entry), join(DIST, `${entry}.js`)])),
  bundle: true,
  splitting: true,
  outdir: BUNDLE,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // half of what a thread has to scan when it starts; names stay for stacks
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: false,
  sourcesContent: false,
  logLevel: 'warning',
  external: EXTERNAL,
  // its entry for Node is CommonJS, of which all would be taken in and run
  alias: { rxjs: join(projectFolder, 'node_modules', 'rxjs', 'dist', 'esm', 'index.js') },
  plugins: [ownPlace, nativeOnDemand],
  // CommonJS packages that are taken in call require for node's own modules
  banner: {
    js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
  },
})

for (const entry of Object.keys(ENTRIES)) {
  const file = join(DIST, `${entry}.js`)
  const target = JSON.stringify(relative(dirname(file), join(BUNDLE, `${nameOf(entry)}.js`)).replace(/^(?!\.)/, './'))
  await writeFile(file, ENTRIES[entry](target))
}
