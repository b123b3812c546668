import { z } from 'zod'
import { AppError } from '@/lib/core/errors'

/** A mapping as a person writes it. Throws `invalid`. */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  } catch (cause) {
    throw new AppError('invalid', 'The mapping is not a JSON object.', { cause })
  }
}
