import { z } from 'zod'

function isAllowed(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false
  const { protocol, hostname } = new URL(endpoint)
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
  )
}

/** Where, and as whom. Without an access key the default provider chain decides: the role that the process runs under. */
export const awsAddress = <T extends z.ZodRawShape>(more: T) =>
  z
    .strictObject({
      region: z.string().regex(/^[a-z0-9-]{2,40}$/, 'the name of a region, such as eu-west-1'),
      /** A VPC endpoint, or an emulator. */
      endpoint: z.string().refine(isAllowed, 'is https, or http on this machine').optional(),
      accessKeyId: z.string().min(1).max(200).optional(),
      secretAccessKey: z.string().min(1).max(200).optional(),
      ...more,
    })
    .refine(
      ({ accessKeyId: id, secretAccessKey: secret }: { accessKeyId?: unknown; secretAccessKey?: unknown }) =>
        (id === undefined) === (secret === undefined),
      { message: 'an access key has two parts: its id and its secret', path: ['secretAccessKey'] },
    )

/** `table`: to look for layouts in this one only. */
export const dynamoSecretSchema = awsAddress({ table: z.string().max(255).optional() })
export type DynamoSecret = z.infer<typeof dynamoSecretSchema>
