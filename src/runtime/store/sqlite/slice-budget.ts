/** What one slice of reclaiming may still delete; whoever finds none left stops. */

export interface SliceBudget {
  rows: number;
  bytes: number;
}

export const isSpent = ({ rows, bytes }: SliceBudget): boolean => rows <= 0 || bytes <= 0;
