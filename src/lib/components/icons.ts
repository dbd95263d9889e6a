/**
 * The paths of icons from Lucide 1.62.0 (https://lucide.dev). They are copied so that a page loads only these and needs no icon package.
 * Rectangles, circles and lines were converted to paths. Licence: Icon.LICENSE.txt (ISC, parts MIT).
 */
export const icons = {
  phone: 'M7 2h10a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zM12 18h.01',
  tablet: 'M6 2h12a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zM12 18h.01',
  desktop: 'M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM8 21h8M12 17v4',
  tool: 'M4 17l6-6l-6-6M12 19h8',
  unknown: 'M12 2a10 10 0 0 1 0 20a10 10 0 0 1 0-20zM9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3M12 17h.01',
  sun: 'M12 8a4 4 0 0 1 0 8a4 4 0 0 1 0-8zM12 2v2M12 20v2M4.93 4.93l1.41 1.41M17.66 17.66l1.41 1.41M2 12h2M20 12h2M6.34 17.66l-1.41 1.41M19.07 4.93l-1.41 1.41',
  moon: 'M20.985 12.486a9 9 0 1 1-9.473-9.472c.405-.022.617.46.402.803a6 6 0 0 0 8.268 8.268c.344-.215.825-.004.803.401',
  'sun-moon':
    'M12 2v2M16 12a4 4 0 0 0-4-4M19 5l-1.256 1.256M20 12h2M14.837 16.385a6 6 0 1 1-7.223-7.222c.624-.147.97.66.715 1.248a4 4 0 0 0 5.26 5.259c.589-.255 1.396.09 1.248.715',
  alert: 'M21.73 18l-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3M12 9v4M12 17h.01',
  check: 'M12 2a10 10 0 0 1 0 20a10 10 0 0 1 0-20zM16 9l-5.5 5.5L8 12',
  close: 'M18 6L6 18M6 6l12 12',
  down: 'M6 9l6 6l6-6',
} as const;
