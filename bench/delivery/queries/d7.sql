SELECT dt, order_id, user_id, city_id, amount, status, created_at, channel, coupon
FROM order_detail
WHERE merchant_id = 123456 AND dt BETWEEN '2024-06-03' AND '2024-06-09'
ORDER BY created_at, order_id
