import { BookOpen } from 'lucide-react'
import { CopyButton } from '@/app/_ui/copy-button'
import { PageLink } from '@/app/_ui/page-link'
import type { Runbook } from '@/lib/alerts/runbooks/runbook'

/** What to do about an alert, with its range and service filled in. */
export function RunbookSteps({ runbook: { id, title, when, steps } }: { runbook: Runbook }) {
  return (
    <section
      aria-label={`Runbook: ${title}`}
      data-runbook={id}
      className="mt-3 rounded-m border border-line bg-surface px-4 py-3"
    >
      <h4 className="flex items-center gap-2 font-semibold">
        <BookOpen size={16} aria-hidden="true" className="text-ink-2" /> Runbook: {title}
      </h4>
      <p className="text-ink-2 text-s">{when}</p>
      <ol className="mt-2 grid list-decimal gap-2 pl-5">
        {steps.map(({ head, text, link, command }) => (
          <li key={head} className="max-w-[112ch]">
            <strong className="font-semibold">{head}</strong> <Words text={text} />
            {link !== undefined && (
              <>
                {' '}
                <PageLink
                  href={link.path}
                  className="whitespace-nowrap font-medium text-accent-ink underline max-md:flex max-md:min-h-11 max-md:items-center"
                >
                  {link.label}
                </PageLink>
              </>
            )}
            {command !== undefined && (
              <span className="mt-1 flex flex-wrap items-center gap-2">
                <code className="min-w-0 break-all rounded-s bg-sunken px-1.5 py-0.5 font-mono text-s">
                  {command}
                </code>
                <CopyButton text={command} label="Copy the request" />
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}

/** What is in backticks is code. */
function Words({ text }: { text: string }) {
  const parts = text.split(/(`[^`]+`)/).map((part) =>
    part.startsWith('`') ? (
      <code key={part} className="rounded-s bg-sunken px-1 font-mono text-s">
        {part.slice(1, -1)}
      </code>
    ) : (
      part
    ),
  )
  return <>{parts}</>
}
