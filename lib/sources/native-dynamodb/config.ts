import { z } from 'zod'
import { dynamoConfigSchema } from '../dynamodb/config'
import { nativeConfigSchema } from '../native/config'

const { providerKeyed, referenceField, idFields, responses } = nativeConfigSchema.shape
const { table, scan, requestTimeoutMs } = dynamoConfigSchema.shape

/** The SDK's table says all else itself. */
export const nativeDynamoConfigSchema = z.strictObject({
  table,
  providerKeyed,
  referenceField,
  idFields,
  responses,
  /** Finished keys have no index: the table is read whole, so often, and no faster than this. Live keys have one. */
  scan,
  requestTimeoutMs,
})
export type NativeDynamoConfig = z.infer<typeof nativeDynamoConfigSchema>
