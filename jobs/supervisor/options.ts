import { parseArgs } from 'node:util'
import { z } from 'zod'
import { AppError } from '@/lib/core/errors'

export const DEMO_STORES = ['postgresql', 'dynamodb', 'redis'] as const

const schema = z.object({
  demo: z.boolean().default(false),
  seed: z
    .string()
    .regex(/^\w{1,32}$/, 'letters and digits')
    .default('1'),
  rate: z.coerce.number().positive().max(200).default(10),
  duration: z.coerce.number().int().min(0).default(0),
  'fault-rate': z.coerce.number().min(0).max(1).default(0.05),
  /** The only kind of fault; '' = all take turns. The demo knows which there are. */
  fault: z
    .string()
    .regex(/^[a-z_]{0,60}$/, 'a name like killed_after_answer')
    .default(''),
  /** The engines that the demo's service keeps its keys in. */
  stores: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(DEMO_STORES)).refine((stores) => stores.includes('postgresql'), 'needs postgresql'))
    .default([...DEMO_STORES]),
})
export type Options = z.infer<typeof schema>

/** Options of `npm start` and `npm run demo`. Throws `invalid` and names each wrong one. */
export function parseOptions(argv: string[]): Options {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({
      args: argv,
      options: {
        demo: { type: 'boolean' },
        seed: text,
        rate: text,
        duration: text,
        'fault-rate': text,
        fault: text,
        stores: text,
      },
    })
    return schema.parse(values)
  } catch (cause) {
    const detail =
      cause instanceof z.ZodError
        ? cause.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`).join('; ')
        : String((cause as Error).message)
    throw new AppError(
      'invalid',
      `${detail}. Options: --seed N --rate R --duration S --fault-rate F --fault NAME --stores postgresql,dynamodb,redis (with --demo).`,
      { cause },
    )
  }
}
