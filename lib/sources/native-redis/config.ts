import { z } from 'zod'
import { nativeConfigSchema } from '../native/config'
import { paceShape } from '../redis/config'

const { providerKeyed, referenceField, idFields, responses } = nativeConfigSchema.shape

/** The SDK's Redis store says all else itself: its keys have one form, and a Redis has one store. */
export const nativeRedisConfigSchema = z.strictObject({
  providerKeyed,
  referenceField,
  idFields,
  responses,
  ...paceShape,
})
export type NativeRedisConfig = z.infer<typeof nativeRedisConfigSchema>
