import { z } from 'zod'
import { redactText, redactUrls } from '@/lib/core/redact'

/** What a person writes down. Credentials and card numbers in it are replaced before anything is stored. */
const written = (minLength: number, maxLength: number) =>
  z
    .string()
    .trim()
    .min(minLength, minLength === 1 ? 'say something' : `in at least ${minLength} characters`)
    .max(maxLength)
    .transform((text) => redactUrls(redactText(text)))

export const titleText = written(1, 200)
export const noteText = written(1, 4000)
/** Why a status was changed. */
export const whyText = written(10, 1000)
export const causeText = written(10, 4000)
export const followUpText = written(1, 500)
