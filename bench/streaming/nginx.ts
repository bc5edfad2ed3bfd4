import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Nginx extends AsyncDisposable {
  readonly port: number
  /** The one worker's process. */
  readonly pid: number
}

/** nginx as one would set it up to serve a folder: one worker, sendfile, no log. */
export async function startNginx(root: string): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const body = `
    daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events { worker_connections 4096; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
      client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
      uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
      server { listen 127.0.0.1:${port}; root ${root}; }
    }`
  await writeFile(file, body)
  const child = spawn('nginx', ['-c', file], { stdio: 'ignore' })
  const pid = await workerOf(child.pid ?? 0)
  return {
    port,
    pid,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function workerOf(master: number): Promise<number> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const children = await promisify(execFile)('pgrep', ['-P', String(master)]).catch(() => null)
    const pid = Number(children?.stdout.trim())
    if (pid > 0) return pid
    if (performance.now() > deadline) throw new Error('nginx does not start; apt has it as nginx-light')
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
