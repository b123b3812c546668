import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import { StateMark } from '@/app/_ui/state-mark'
import { TextWithTimes } from '@/app/_ui/text-with-times'
import type { Answered, Question } from '@/lib/incidents/checklist'

/** What could not be answered says so: none, not known, not connected and not measured are four different things. */
const NOT_ANSWERED: Record<Answered, string | null> = {
  known: null,
  none: null,
  not_known: 'Not known',
  not_connected: 'Not connected',
  not_measured: 'Not measured',
}

type Props = { questions: readonly Question[]; pathOf: (path: string) => string }

/** What has to be known, each answered from data. */
export function ChecklistCard({ questions, pathOf }: Props) {
  return (
    <Card id="checklist" title="Checklist" aside="answered from data, as of now">
      <ol>
        {questions.map(({ id, question, answered, standing, answers, link }) => (
          <li
            key={id}
            data-question={id}
            className="flex flex-wrap items-start gap-x-3 gap-y-1 border-line border-t px-4 py-2.5 first:border-t-0"
          >
            <StateMark standing={standing} className="mt-[3px]" />
            <div className="min-w-0 flex-1 basis-60">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {question}
                {NOT_ANSWERED[answered] !== null && <Badge>{NOT_ANSWERED[answered]}</Badge>}
              </p>
              <ul className="break-words text-ink-2">
                {answers.map((answer) => (
                  <li key={answer}>
                    <TextWithTimes text={answer} />
                  </li>
                ))}
              </ul>
            </div>
            <PageLink href={pathOf(link.path)} look="link">
              {link.label}
            </PageLink>
          </li>
        ))}
      </ol>
    </Card>
  )
}
