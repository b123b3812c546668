import { z } from 'zod'

/** Why a person does what cannot be undone. Asked for by the server too. */
export const reasonSchema = z.string().trim().min(10, 'say why, in at least 10 characters').max(1000)
