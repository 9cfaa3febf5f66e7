SELECT f.dt, f.orders, f.gmv, m.area_id, m.brand, COUNT(*) AS details, SUM(o.amount) AS amount
FROM merchant_day f
JOIN order_detail o ON f.merchant_id = o.merchant_id AND f.dt = o.dt
JOIN merchant m ON f.merchant_id = m.merchant_id
WHERE m.merchant_id = 4711
GROUP BY f.dt, f.orders, f.gmv, m.area_id, m.brand
ORDER BY f.dt
