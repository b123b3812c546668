import { z } from 'zod'
import { providerAnswerSchema } from '@/lib/locks/assess/provider-answer'
import { ProposedChange } from '../../_decide/decision'
import { objectText, providerSays } from '../labels'
import type { WaitingFail } from '../read-locks'

const evidenceSchema = z.object({
  lease: z.object({ fence: z.string(), owner: z.string() }),
  steps: z.array(z.object({ step: z.string(), name: z.string(), state: z.string() })),
  answer: providerAnswerSchema,
  response: z.object({ status: z.number() }),
})

/** That a key is ended without effect: what it rests on, who asked and why, and who may decide. */
export function FailProposal({ waiting }: { waiting: WaitingFail }) {
  const { place, ...decision } = waiting
  const parsed = evidenceSchema.safeParse(decision.action.evidence)
  if (!parsed.success) return null
  const { lease, steps, answer, response } = parsed.data
  return (
    <ProposedChange
      label="Proposed failure of this key"
      what="failure of 1 key"
      {...decision}
      facts={[
        { label: 'Key', value: <span className="break-all font-mono text-s">{decision.action.key}</span> },
        { label: 'Last holder', value: <span className="break-all font-mono text-s">{lease.owner}</span> },
        {
          label: 'Steps',
          value:
            steps.length === 0
              ? 'none was begun'
              : steps.map(({ step, name, state }) => `${step} (${name}) ${state}`).join(', '),
        },
        {
          label: 'Provider',
          value:
            answer.kind === 'found'
              ? answer.objects.map((object) => `${object.id} ${objectText(object)}`).join(', ')
              : providerSays(answer).whole,
        },
        { label: 'Retries get', value: `${response.status}: send a new request with a new key` },
      ]}
      approval={{
        opener: 'Approve failure',
        title: `Fail 1 key in ${place}`,
        lead: 'Whoever retries is told that it did not happen, and to send a new request. If it did happen, they pay twice. It cannot be taken back.',
        confirm: `Fail 1 key in ${place}`,
        typed: { label: 'How many', expected: '1' },
      }}
    />
  )
}
