/**
 * A job with a package from npm: checks records against a schema. The package is bundled into the
 * job, so it is installed here and nowhere else.
 *
 *   cd examples/npm-dependency && npm install
 *   cc submit job.ts                        checks three records of its own
 *   cc submit --each-json orders.jsonl job.ts    checks yours, one JSON object a line
 *
 * prints each accepted record as JSON; a bad one fails as `bad_record` and the message says why.
 * With the records of its own: two lines, one failed task, exit code 1.
 */
import { type JobOptions, PermanentError } from "crowdcompute";
import { z } from "zod";

export const options = { name: "check-orders", queue: "orders.check" } satisfies JobOptions;

const Order = z.object({
  id: z.int().positive(),
  customer: z.string().min(1),
  total: z.number().nonnegative(),
});

export const inputs: unknown[] = [
  { id: 1, customer: "Ada", total: 12.5 },
  { id: 2, customer: "", total: -1 },
  { id: 3, customer: "Grace", total: 0 },
];

export default function checkOrder(record: unknown): z.infer<typeof Order> {
  const result = Order.safeParse(record);
  if (result.success) return result.data;
  const reasons = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new PermanentError(reasons.join("; "), { code: "bad_record" });
}
