import { CircleCheck, CircleDashed } from 'lucide-react'
import type { ReactNode } from 'react'
import { Card } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import { env } from '@/lib/env'
import type { SourceView } from '@/lib/mirror/read/list-sources'

type Step = { done: boolean; waits: string; title: string; body: ReactNode }

type Props = { measured: boolean; sources: readonly SourceView[] }

/** Before there is anything to show: how the first span comes in and the first store is read. Ticks itself. */
export function Onboarding({ measured, sources }: Props) {
  const steps: Step[] = [
    {
      done: measured,
      waits: 'waiting for the first span',
      title: 'Send the first span',
      body: <SpanHelp />,
    },
    ...SOURCES.map(({ kind, title, body }) => {
      /** A source that is connected is another thing than one that was read. */
      const connected = sources.filter((source) => source.kind === kind)
      return {
        done: connected.some(({ lastOkAt }) => lastOkAt !== null),
        waits: connected.length === 0 ? 'not connected' : 'connected, not read yet',
        title,
        body,
      }
    }),
  ]
  const open = steps.findIndex(({ done }) => !done)
  const done = steps.filter((step) => step.done).length
  return (
    <Card id="onboarding" title="First steps" aside={`${done} of ${steps.length} done`}>
      <ol className="pt-1">
        {steps.map((step, index) => (
          <li key={step.title} className="flex gap-3 border-line border-t px-4 py-3">
            {step.done ? (
              <CircleCheck size={18} aria-hidden="true" className="mt-px shrink-0 text-processing" />
            ) : (
              <CircleDashed size={18} aria-hidden="true" className="mt-px shrink-0 text-ink-3" />
            )}
            <div className="min-w-0 flex-1">
              <h3 className="font-medium">
                {step.title}
                <span className="ml-2 font-normal text-ink-3">{step.done ? 'done' : step.waits}</span>
              </h3>
              {!step.done && index <= Math.max(1, open) && <div className="mt-1 text-ink-2">{step.body}</div>}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  )
}

const SOURCES = [
  {
    kind: 'intent',
    title: 'Connect the idempotency store',
    body: (
      <>
        <SourceHelp what="With it come locks, their holders and what may safely be done." />
        <p className="mt-2">
          Or let the console look for it and show what it makes of real rows:{' '}
          <PageLink href="/sources/connect" look="inline" className="font-medium">
            Connect a store
          </PageLink>
        </p>
      </>
    ),
  },
  {
    kind: 'provider',
    title: 'Connect the payment provider',
    body: <SourceHelp what="With it a stuck key is checked against what was really charged." />,
  },
  {
    kind: 'ledger',
    title: 'Connect the ledger',
    body: (
      <SourceHelp what="With it reconciliation finds what was charged and never booked, and the other way round." />
    ),
  },
]

function SpanHelp() {
  const { IDEMSCOPE_OTLP_HOST: host, OTLP_PORT: port, IDEMSCOPE_OTLP_TOKEN: token } = env()
  const lines = [
    `OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:${port}`,
    'OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    token !== undefined && 'OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer $IDEMSCOPE_OTLP_TOKEN',
    'OTEL_SERVICE_NAME=payments',
  ]
  return (
    <>
      <p>Start the service with the exporter’s environment; the SDK of Idemscope names its spans itself.</p>
      <Code>{lines.filter((line) => line !== false).join('\n')}</Code>
    </>
  )
}

function SourceHelp({ what }: { what: string }) {
  return (
    <>
      <p>{what} Describe it in a file as docs/guides/sources.md says, then:</p>
      <Code>npm run --silent source -- save sources.json</Code>
    </>
  )
}

function Code({ children }: { children: string }) {
  return (
    <pre className="mt-2 whitespace-pre-wrap break-all rounded-s bg-sunken px-3 py-2 font-mono text-ink text-s">
      {children}
    </pre>
  )
}
