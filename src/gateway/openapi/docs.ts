import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { errorCodes } from '../../protocol/errors.ts'
import type { Api } from '../api.ts'
import { docsPolicy } from '../security.ts'
import type { OpenApiDocument } from './document.ts'

/** The description of the interface for programs (`/openapi.json`) and for people (`/docs`), who need no third party. */
export function docsRoutes(app: Api, document: () => OpenApiDocument): void {
  let script: Promise<Buffer> | undefined

  app.get('/openapi.json', (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(document())),
  )
  app.get('/docs', (_request, reply) => reply.redirect('/docs/', 308))
  app.get('/docs/', (_request, reply) =>
    reply.header('content-security-policy', docsPolicy).type('text/html; charset=utf-8').send(referencePage),
  )
  app.get('/docs/js/start.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(startScript),
  )
  app.get('/docs/js/scalar.js', async (_request, reply) => {
    script ??= referenceScript().catch((error) => {
      script = undefined
      throw error
    })
    return reply
      .type('text/javascript; charset=utf-8')
      .header('content-encoding', 'gzip')
      .header('cache-control', 'public, max-age=86400')
      .send(await script)
  })
  app.get('/docs/errors', (_request, reply) =>
    reply.header('content-security-policy', docsPolicy).type('text/html; charset=utf-8').send(errorsPage()),
  )
}

const referencePage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The interface of Hocket</title>
<div id="reference"></div>
<script src="/docs/js/scalar.js"></script>
<script src="/docs/js/start.js"></script>
</html>
`

/** Whatever would speak to the makers of the page (fonts, agent, telemetry, proxy) is off; the policy forbids it too. */
const startScript = `Scalar.createApiReference('#reference', ${JSON.stringify({
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  persistAuth: false,
})})
`

/** Made in a thread of its own when somebody first opens the page. */
async function referenceScript(): Promise<Buffer> {
  const thread = new Worker(new URL('./reference-thread.ts', import.meta.url))
  try {
    const [script] = await once(thread, 'message', { signal: AbortSignal.timeout(30_000) })
    if (!(script instanceof Uint8Array)) throw new Error('the thread answered with something else')
    return Buffer.from(script)
  } finally {
    await thread.terminate()
  }
}

function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, title, help }]) =>
      `<h2 id="${code}">${code}</h2>\n<p>${escapeHtml(title)} (HTTP ${status}). ${escapeHtml(help)}</p>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errors of Hocket</title>
<style>
body { font: 16px/1.6 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
h2 { font: 600 1rem/1.6 ui-monospace, monospace; margin: 2rem 0 0 }
:target { background: Mark; color: MarkText }
p { margin: 0 }
</style>
<h1>Errors</h1>
${rows.join('\n')}
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
}
