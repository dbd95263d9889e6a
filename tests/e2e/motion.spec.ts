import { expect, test } from './fixtures';

test('rows appear and disappear with a short movement, or without if the user prefers none', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone, tablet] = [await newDevice(), await newDevice(), await newDevice()];
  const { page } = laptop;
  await page.addInitScript(() => {
    const animate = Reflect.get(Element.prototype, 'animate');
    Reflect.set(Element.prototype, 'animate', function (this: Element, ...args: unknown[]) {
      document.documentElement.dataset.moved = String(
        Number(document.documentElement.dataset.moved ?? 0) + 1,
      );
      return Reflect.apply(animate, this, args);
    });
  });
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await tablet.startSignedIn(user);
  await laptop.visit('/sessions');
  const moved = () => page.evaluate(() => Number(document.documentElement.dataset.moved ?? 0));

  await page.emulateMedia({ reducedMotion: 'reduce' });
  await laptop.endSession(await phone.sessionId());
  await expect(laptop.rows()).toHaveCount(2);
  expect(await moved()).toBe(0);

  await page.emulateMedia({ reducedMotion: 'no-preference' });
  // With the keyboard, because a click right after another one is ignored while the rows move.
  const row = laptop.row(await tablet.sessionId());
  await row.getByRole('button', { name: /^End session/ }).press('Enter');
  await expect(row).toHaveCount(0);
  await expect.poll(moved).toBeGreaterThan(0);
  // Nothing of the animation is left.
  await expect(page.locator('body > [inert]')).toHaveCount(0);
  await expect(laptop.rows()).toHaveCount(1);
});
