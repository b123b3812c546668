import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Consumer, createConsumer } from '../../package/consumer'

const FILES = {
  'app/layout.jsx':
    'export default function Layout({ children }) { return <html><body>{children}</body></html> }',
  'app/options.ts': `import { createPostgresStore } from '@idemscope/sdk/stores/postgres'
import pg from 'pg'

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
export const options = { store: createPostgresStore({ pool }), keySecret: process.env.KEY_SECRET ?? '' }`,
  'app/v1/payments/route.ts': `import { options } from '../../options'
import { createPayments } from '../../payments'

const serve = createPayments(options, process.env.CONTROL_URL ?? '')
export { serve as GET, serve as HEAD, serve as OPTIONS, serve as POST }`,
  'app/v1/next/[act]/route.ts': `import { idempotent } from '@idemscope/sdk'
import { notFound, redirect } from 'next/navigation'
import { after } from 'next/server'
import { options } from '../../../options'

type Extra = { params: Promise<{ act: string }> }

export const POST = idempotent<unknown, Extra>(
  async (_, ctx) => {
    const { act } = await ctx.extra.params
    after(async () => {
      await fetch(process.env.CONTROL_URL + '/after?key=' + ctx.key, { method: 'POST' })
    })
    if (act === 'redirect') redirect('/v1/elsewhere')
    if (act === 'not-found') notFound()
    return Response.json({ act }, { status: 201 })
  },
  { ...options, scope: async (_, { params }) => ({ caller: 'web', route: '/v1/next/' + (await params).act }) },
)`,
  'next.config.mjs': `export default {
  headers: async () => [{ source: '/:path*', headers: [{ key: 'x-late', value: 'yes' }] }],
}`,
}

const PACKAGES = [
  'next',
  'react',
  'react-dom',
  'pg',
  '@opentelemetry/api',
  'typescript',
  '@types/react',
  '@types/node',
  '@types/pg',
]

/** A project of Next's App Router with the packed SDK. */
export async function createNextProject(): Promise<Consumer> {
  const consumer = await createConsumer(PACKAGES)
  const payments = await readFile('test/sdk/adapters/payments.ts', 'utf8')
  const files = { ...FILES, 'app/payments.ts': payments.replace('@/sdk/idempotent', '@idemscope/sdk') }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(consumer.folder, name, '..'), { recursive: true })
    await writeFile(join(consumer.folder, name), text)
  }
  return consumer
}
