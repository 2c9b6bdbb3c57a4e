/** Times of day and spans of time count from here, and dates from two days later. */
const dayZero = Date.UTC(1899, 11, 30);
const firstDay = Date.UTC(1900, 0, 1);
/** Workbooks that count their days from 1904 are this many behind. */
const daysTo1904 = 1462;

/** A date of a workbook as ISO 8601, without a time at midnight; what lies before all dates is a time: "12:30:00". */
export function isoDate(date: Date): string {
  if (date.getTime() < firstDay) return duration(date.getTime() - dayZero);
  const iso = date.toISOString();
  return iso.endsWith("T00:00:00.000Z") ? iso.slice(0, 10) : iso.replace(".000Z", "");
}

/** The date that Office counts as a number of days, as ISO 8601; text that is no such number stays as it is. */
export function isoDateOfSerial(serial: string, is1904: boolean): string {
  const days = Number(serial) + (is1904 ? daysTo1904 : 0);
  // The last day of the year 9999.
  if (serial === "" || !(days >= 0 && days < 2_958_466)) return serial;
  return isoDate(new Date(dayZero + Math.round(days * 86_400) * 1000));
}

/** Hours, minutes and seconds. */
function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const parts = [seconds / 3600, (seconds % 3600) / 60, seconds % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0"),
  );
  return parts.join(":");
}
