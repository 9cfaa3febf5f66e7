SELECT t.area, t.area_gmv, m.merchant_id, m.brand, f.orders, f.refunds, CAST(f.refunds AS DOUBLE) / f.orders AS refund_rate
FROM merchant_day f
JOIN merchant m ON f.merchant_id = m.merchant_id
JOIN (
  SELECT a.area_id, a.name AS area, SUM(f.gmv) AS area_gmv
  FROM merchant_day f
  JOIN merchant m ON f.merchant_id = m.merchant_id
  JOIN area a ON m.area_id = a.area_id
  JOIN city c ON a.city_id = c.city_id
  WHERE f.dt = '2024-06-09' AND c.region_id = 3
  GROUP BY a.area_id, a.name
) t ON m.area_id = t.area_id
WHERE f.dt = '2024-06-09' AND f.orders >= 20
ORDER BY refund_rate DESC, m.merchant_id
LIMIT 200
